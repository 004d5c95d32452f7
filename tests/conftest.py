"""Lets every test folder import the makers that lie beside this file (``scenes``, ``worlds``)."""
