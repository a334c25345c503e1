"""How anything comes in: who asks and what he may, bytes to one meaning, refusals as answers, and one transaction."""
