"""How values can be shifted, stretched and bent."""
