"""`redis://` and its kin: the store that several replicas share. The library is loaded only where a store is one."""
