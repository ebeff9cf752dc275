"""What a panel of series and its labels are: every container is read and checked here."""
