"""The role `counter`: a counter's own machine, which passes everything on to the core, and goes on while it is away.

`link` knows whether the core is there, `gate` answers each request from there or from here, `keeper` keeps the store
fresh and delivers, `serving` runs it.
"""
