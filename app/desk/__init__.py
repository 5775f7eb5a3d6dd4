"""What a desk is busy with: the course of each of its referrals."""
