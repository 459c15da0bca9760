"""The toolkit of screens: lists, forms, actions, formats, permissions. It knows no noun of the office."""
