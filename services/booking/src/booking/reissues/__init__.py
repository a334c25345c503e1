"""The next version of the visits ahead, when something behind them changed: a flag of their patient, or a policy."""
