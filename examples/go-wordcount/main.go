// Counts the words of a text: how many there are, how many different ones, and which are the most frequent.
package main

import (
	"context"
	"errors"
	"sort"
	"strings"
	"unicode"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

const maxTop = 100

type request struct {
	Text string `json:"text"`
	Top  int    `json:"top"`
}

type wordCount struct {
	Word  string `json:"word"`
	Count int    `json:"count"`
}

type answer struct {
	Words     int         `json:"words"`
	Different int         `json:"different"`
	Top       []wordCount `json:"top"`
	RequestID string      `json:"requestId"`
}

func count(text string, top int) (words int, counts []wordCount) {
	seen := map[string]int{}
	isSeparator := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' }
	for _, word := range strings.FieldsFunc(strings.ToLower(text), isSeparator) {
		seen[word]++
		words++
	}
	for word, n := range seen {
		counts = append(counts, wordCount{word, n})
	}
	sort.Slice(counts, func(a, b int) bool {
		if counts[a].Count != counts[b].Count {
			return counts[a].Count > counts[b].Count
		}
		return counts[a].Word < counts[b].Word
	})
	return words, counts
}

func handle(ctx context.Context, event request) (answer, error) {
	if event.Text == "" {
		return answer{}, errors.New("the event has no text")
	}
	top := event.Top
	if top <= 0 || top > maxTop {
		top = 5
	}
	words, counts := count(event.Text, top)
	out := answer{Words: words, Different: len(counts), Top: counts[:min(top, len(counts))]}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		out.RequestID = lc.AwsRequestID
	}
	return out, nil
}

func main() {
	lambda.Start(handle)
}
