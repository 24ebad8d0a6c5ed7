# mode: singleton
# ulp: 4
# outputs: o:DOUBLE r:DOUBLE z:DOUBLE
def py_haversine(inputs):
    from math import sin, cos, sqrt, atan2, radians, hypot, isfinite, copysign, fmod
    if None in (inputs["x"], inputs["y"]) or not isfinite(inputs["x"]) or not isfinite(inputs["y"]):
        return {"o": -1.0, "r": None, "z": 0.0}
    lat1, lon1 = radians(max(-90.0, min(90.0, inputs["x"]))), radians(max(-90.0, min(90.0, inputs["y"])))
    h = sin((1 - lat1) / 2) ** 2 + cos(lat1) * cos(1) * sin((0.5 - lon1) / 2) ** 2
    return {"o": 6373.0 * 2 * atan2(sqrt(h), sqrt(1 - h)), "r": hypot(lat1, lon1), "z": copysign(fmod(lat1, 0.5), lon1)}
