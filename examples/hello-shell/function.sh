# The handler: reads the event from standard input, writes the answer to standard output, logs to standard error.
greet() {
  local event name
  event="$(cat)"
  name="$(printf '%s' "$event" | sed -n 's/.*"name"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p' | tr -d '\\')"
  if [ "$name" = 'nobody' ]; then
    echo 'There is nobody to greet' >&2
    return 1
  fi
  echo "Greeting ${name:-world}" >&2
  printf '{"greeting":"Hello, %s!","requestId":"%s","shell":"bash %s"}' "${name:-world}" "$REQUEST_ID" "${BASH_VERSION%%(*}"
}
