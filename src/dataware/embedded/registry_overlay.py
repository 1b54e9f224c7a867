"""ECR and Secrets Manager as AWS answers where the emulator does not; run by `overlay`.

This file imports nothing of dataware, which is not installed where it runs. Sources: Amazon ECR API
Reference, ListImages and BatchCheckLayerAvailability; AWS Secrets Manager API Reference,
PutSecretValue.
"""

import json

from ministack.services import ecr, secretsmanager

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


# --- A version of a secret is written once, and a label stands on one version


@replaces(secretsmanager, "_put_secret_value")  # noqa: F821 - given by overlay
def put_secret_value(original, data):
    """Ignore what is there already, refuse another value, and take labels from other versions."""
    secret = secretsmanager._resolve(data.get("SecretId"))[1]
    version, token = None, data.get("ClientRequestToken")
    if secret and not secret.get("DeletedDate"):
        version = secret["Versions"].get(token)
    if version is not None:
        names = ("SecretString", "SecretBinary")
        if any(version.get(name) != data.get(name) for name in names):
            text = "A version of that token exists already with another value."
            return secretsmanager.error_response_json("ResourceExistsException", text, 400)
        answer = {"VersionId": token, "VersionStages": version["Stages"]}
        return secretsmanager.json_response(
            {"ARN": secret["ARN"], "Name": secret["Name"], **answer}
        )
    answer = original(data)
    if answer[0] == 200:
        token = json.loads(answer[2])["VersionId"]
        for label in data.get("VersionStages") or ():
            secretsmanager._remove_stage_everywhere(secret, label, except_version_id=token)
            secretsmanager._add_stage(secret, token, label)
    return answer
