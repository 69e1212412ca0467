"""What an ONNX file computes on its way, without the package onnx: a few fields of its protobuf messages by hand.

A file is a ModelProto, whose field 7 is the GraphProto; of that, field 1 are nodes, whose field 2 are names of what they
give, and field 12 outputs, ValueInfoProtos whose field 1 is a name (onnx.proto; protobuf.dev/programming-guides/encoding).
"""

GRAPH, NODE, NODE_OUTPUT, OUTPUT, NAME = 7, 1, 2, 12, 1


def fields(message):
    """(number, value) of each field: numbers as such, everything of a length as bytes."""
    message, at = memoryview(message), 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            value |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                return value

    while at < len(message):
        key = number()
        if key & 7 == 0:
            value = number()
        elif key & 7 in (1, 2, 5):
            size = {1: 8, 5: 4}.get(key & 7) or number()
            value, at = message[at:at + size], at + size
        else:
            raise ValueError("this is no ONNX file")
        yield key >> 3, value


def field(number, content):
    """A field of some bytes."""
    def varint(value):
        return bytes([value & 127 | 128]) + varint(value >> 7) if value > 127 else bytes([value])
    return varint(number << 3 | 2) + varint(len(content)) + content


def tensors(model):
    """The names of all that nodes of the graph give, in the graph's order."""
    return [bytes(name).decode() for at, graph in fields(model) if at == GRAPH
            for place, node in fields(graph) if place == NODE
            for part, name in fields(node) if part == NODE_OUTPUT and len(name)]


def telling(model, names):
    """The model with tensors of its graph as further outputs.

    Of a message that stands twice, protobuf adds the parts to each other: what is new is put behind the file.
    """
    return bytes(model) + field(GRAPH, b"".join(field(OUTPUT, field(NAME, name.encode())) for name in names))
