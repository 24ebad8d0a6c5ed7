# mode: pandas
# ulp: 4
# outputs: o:DOUBLE r:DOUBLE z:DOUBLE
def haversine(inputs):
    def distance(lat1, lon1, lat2, lon2):
        lat1, lon1, lat2, lon2 = map(np.radians, [lat1, lon1, lat2, lon2])
        h = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
        return 2 * 6371 * np.arctan2(np.sqrt(h), np.sqrt(1 - h))

    df = pd.DataFrame()
    x, y = inputs["x"].astype(float).clip(-90, 90), inputs["y"].astype(float).clip(-90, 90)
    df["o"] = distance(x, y, 52.5, 13.4)
    df["r"] = np.arctan2(inputs["a"].fillna(1).astype("int64"), 2.5)
    df["z"] = np.hypot(inputs["x"].astype(float), inputs["y"].astype(float))
    return df
