"""Its start takes any arguments."""


def start(*args, **options):
    return [len(args), sorted(options)]
