def begin(): pass
def finish(): pass
