"""Admit, revoke, promote, roll back: which model may run is answered from signed records, in under half a second.

Nothing here imports torch, and admitting imports no PDF library unless a dossier must be read.
"""
