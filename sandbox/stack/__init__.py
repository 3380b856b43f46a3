"""The development stack: everything that the product needs, as processes of this machine, under one supervisor.

honcho brings the coloured lines of the terminal (``honcho.printer``). Its manager is not used: when one process ends it
ends all the others, starts them all at once, and runs each one through a shell, whereas here a process that dies is
started again, each one starts when what it needs is ready, and command lines are lists.
"""
