"""What every part of booking speaks of: texts, times, contacts, names and refusals, made safe; pure."""
