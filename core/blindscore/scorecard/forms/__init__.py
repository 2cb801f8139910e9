"""Other forms of a card, in and out: JSON, SQL, ONNX, PMML, HTML, optbinning."""
