"""What a clinic's desk asks for of many visits at once: cancel a day, move it (0049)."""
