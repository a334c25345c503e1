"""What a text means, by the words in `keywords`, and which visit it is about; pure."""
