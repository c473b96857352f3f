"""A long run of Mailroom under kills and outages, and the account of what came of every mail.

`schedule` says which faults come when, `strikes` does them to a `world` of real servers and processes while
`correspondence` writes to it and `hands` work on the Cases that some mails open; afterwards `evidence`
gathers what stands where, and `checker` judges it.
"""
