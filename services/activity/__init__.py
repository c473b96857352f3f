"""activity: Tickets, Cases and Actions, from the mail that opens one to the day it is closed."""
