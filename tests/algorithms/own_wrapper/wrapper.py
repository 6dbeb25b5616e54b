def value():
    return "the user's own wrapper"
