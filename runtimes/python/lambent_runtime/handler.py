"""Finds the function that a handler string names: `package/module.function` or `package.module.function`."""
import importlib
import os
import site
import sys

from .errors import Fault


def set_module_path(task_root, opt_root):
    """
    Task root first, then the layers' folders, unless the function has a PYTHONPATH of its own. Returns what comes before
    the standard library.
    """
    script_folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    rest = [entry for entry in sys.path if entry not in (script_folder, "")]
    own = os.environ.get("PYTHONPATH", "")
    if own and own != os.environ.get("LAMBDA_RUNTIME_DIR"):
        middle = [entry for entry in own.split(os.pathsep) if entry]
        folders = [task_root]
    else:
        version = "python{}.{}".format(*sys.version_info[:2])
        middle = [os.path.join(opt_root, "python", "lib", version, "site-packages"), os.path.join(opt_root, "python")]
        folders = [task_root] + middle
    # What AWS's runtime brings for functions; a copy of their own comes first.
    ours = [os.path.join(script_folder, "modules")]
    sys.path[:] = [task_root] + middle + [entry for entry in rest if entry not in middle] + ours
    for folder in folders:
        # Honours .pth files; the folder itself is there already.
        if os.path.isdir(folder):
            site.addsitedir(folder)
    importlib.invalidate_caches()
    return [task_root] + middle


def load_handler(handler):
    """The function. Raises Fault with AWS's texts, or whatever the module raises while it is imported."""
    try:
        module_name, function_name = handler.rsplit(".", 1)
    except ValueError as error:
        raise Fault("MalformedHandlerName", "Bad handler '{}': {}".format(handler, error)) from None
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise Fault(
            "BuiltInModuleConflict", "Cannot use built-in module {} as a handler module".format(module_name)
        )
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("ImportModuleError", "Unable to import module '{}': {}".format(module_name, error)) from None
    except SyntaxError as error:
        trace = ['  File "{}" Line {}\n    {}'.format(error.filename, error.lineno, error.text)]
        raise Fault(
            "UserCodeSyntaxError", "Syntax error in module '{}': {}".format(module_name, error), trace
        ) from None
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise Fault(
            "HandlerNotFound", "Handler '{}' missing on module '{}'".format(function_name, module_name)
        ) from None
