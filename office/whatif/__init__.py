"""What-if: a past month tried under a changed policy, without writing anything (C12, §9)."""
