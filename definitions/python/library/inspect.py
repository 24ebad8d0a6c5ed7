def cleandoc(doc):
    if "\t" in doc:
        _refuse("cleandoc() of text with tabs is not read")
    lines = doc.split("\n")
    margins = [len(line) - len(line.lstrip(" ")) for line in lines[1:] if line.lstrip(" ")]
    lines = [lines[0].lstrip(" ")] + [line[min(margins):] if margins else line for line in lines[1:]]
    while lines and not lines[-1].strip():
        lines.pop()
    while lines and not lines[0].strip():
        lines.pop(0)
    return "\n".join(lines)
