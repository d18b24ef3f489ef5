"""What the API knows."""

PLANETS = {
    name.lower(): {"name": name, "moons": moons, "day_hours": day, "year_days": year}
    for name, moons, day, year in [
        ("Mercury", 0, 4222.6, 88.0),
        ("Venus", 0, 2802.0, 224.7),
        ("Earth", 1, 24.0, 365.2),
        ("Mars", 2, 24.7, 687.0),
        ("Jupiter", 95, 9.9, 4331),
        ("Saturn", 146, 10.7, 10747),
        ("Uranus", 28, 17.2, 30589),
        ("Neptune", 16, 16.1, 59800),
    ]
}
