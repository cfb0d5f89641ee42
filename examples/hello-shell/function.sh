# The handler: reads the event from standard input, writes the answer to standard output, logs to standard error.
greet() {
  local event name='world'
  IFS= read -r -d '' event || true
  local pattern='"name"[[:space:]]*:[[:space:]]*"([^"\]*)"'
  if [[ "$event" =~ $pattern ]]; then name="${BASH_REMATCH[1]}"; fi
  if [ "$name" = 'nobody' ]; then
    echo 'There is nobody to greet' >&2
    return 1
  fi
  echo "Greeting $name" >&2
  printf '{"greeting":"Hello, %s!","requestId":"%s","shell":"bash %s"}' "$name" "$REQUEST_ID" "${BASH_VERSION%%(*}"
}
