"""`--in-process`: supervisor and algorithm in one process, for a debugger."""
