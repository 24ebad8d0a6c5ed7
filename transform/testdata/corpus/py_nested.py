# mode: python
# outputs: o:INT64
def py_nested(inputs):
    grid = [[i * j for j in range(3)] for i in range(3)]
    return {"o": [sum(sum(row) for row in grid) + (a or 0) % 5 for a in inputs["a"]]}
