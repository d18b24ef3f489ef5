"""A provider as strict as there are: its refresh tokens work once, and a second use ends all."""

CLIENT_ID = "app"
CLIENT_SECRET = "s3cr3t"
