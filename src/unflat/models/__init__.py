"""Eyes: networks and detectors behind small protocols, one adapter a file, imported when they are used."""
