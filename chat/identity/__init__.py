"""Account keys: what an account says of its devices, so that nobody else can add one."""
