"""What a message says: words in the patient's language and the clinic's time, put into templates."""
