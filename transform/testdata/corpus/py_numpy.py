# mode: python
# outputs: o:DOUBLE
def py_numpy(inputs):
    return {"o": np.array([0.0 if v is None else v for v in inputs["x"]]).tolist()}
