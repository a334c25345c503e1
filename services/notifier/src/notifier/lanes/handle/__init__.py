"""A lane's story in steps: claim, judge, call, record; and the ports it needs."""
