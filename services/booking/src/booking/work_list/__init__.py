"""What staff should look at of visits: each a flag on a visit, open until somebody says it is done."""
