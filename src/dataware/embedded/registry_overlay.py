"""ECR as AWS answers where the emulator does not; run by `overlay`, which gives `replaces`.

This file imports nothing of dataware, which is not installed where it runs. Source: Amazon ECR API
Reference, ListImages and BatchCheckLayerAvailability.
"""

import json

from ministack.services import ecr

# --- An image is listed once for each of its tags


@replaces(ecr, "_list_images")  # noqa: F821 - given by overlay
def list_images(original, data):
    """List an image under every tag it has, and under none once it has lost them all."""
    status, headers, body = original(data)
    if status != 200:
        return status, headers, body
    wanted = (data.get("filter") or {}).get("tagStatus")
    rows = []
    for image in ecr._images.get(data["repositoryName"], []):
        digest, tags = image["imageDigest"], image.get("imageTags") or []
        if wanted != "UNTAGGED":
            rows += [{"imageDigest": digest, "imageTag": tag} for tag in tags]
        if not tags and wanted != "TAGGED":
            rows.append({"imageDigest": digest})
    return ecr.json_response({"imageIds": rows})


# --- A layer that was pushed is available


@replaces(ecr, "_batch_check_layer_availability")  # noqa: F821 - given by overlay
def check_layers(original, data):
    """Say of each layer whether it is there, and how large it is."""
    status, headers, body = original(data)
    if status != 200:
        return status, headers, body
    held = ecr._layer_blobs.get(data["repositoryName"], {})
    layers = json.loads(body)["layers"]
    for layer in layers:
        blob = held.get(layer["layerDigest"])
        if blob is not None:
            layer |= {"layerAvailability": "AVAILABLE", "layerSize": len(blob)}
    return ecr.json_response({"layers": layers, "failures": []})
