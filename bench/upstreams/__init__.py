"""How fast what upstream systems send is taken: messages of HL7 v2 over MLLP, and files of history."""
