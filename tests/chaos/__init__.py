"""What has to hold for minutes, in full length under `make chaos`."""
