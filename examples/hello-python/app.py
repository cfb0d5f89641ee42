"""The smallest function that shows what it was given and where it runs."""
import platform

invocations = 0


def handler(event, context):
    global invocations
    invocations += 1
    print(f"Hello from {context.function_name}, invocation {invocations} of this environment")
    return {
        "greeting": f"Hello, {event.get('name', 'world')}!",
        "invocations": invocations,
        "requestId": context.aws_request_id,
        "remainingMs": context.get_remaining_time_in_millis(),
        "python": platform.python_version(),
    }
