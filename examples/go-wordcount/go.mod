module lambent.example/wordcount

go 1.21

require github.com/aws/aws-lambda-go v1.51.0
