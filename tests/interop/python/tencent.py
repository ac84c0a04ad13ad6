"""The official Tencent Cloud SDK for TRTC, told what to ask line by line.

    tencent.py HOST:PORT SECRET_ID SECRET_KEY

Reads {"action": NAME, "parameters": {...}, "method": "POST" | "GET", "sign": METHOD, "generic": bool} a
line and writes {"request": ID, "answer": {...}} or {"code": ..., "message": ..., "request": ID} a line;
the answer is what the SDK has read. "generic" asks through CommonClient, which sends parameters as they
are.
"""

import json
import os
import sys

# The SDK takes a proxy from the environment even for this machine.
for name in list(os.environ):
    if name.lower() in ("http_proxy", "https_proxy", "all_proxy"):
        del os.environ[name]

from tencentcloud.common import credential
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.trtc.v20190722 import models, trtc_client


def ask(endpoint, who, order):
    method = order.get("method", "POST")
    http = HttpProfile(protocol="http", endpoint=endpoint, reqMethod=method, reqTimeout=10)
    profile = ClientProfile(httpProfile=http, signMethod=order.get("sign", "TC3-HMAC-SHA256"))
    action, parameters = order["action"], order["parameters"]
    if order.get("generic"):
        client = CommonClient("trtc", "2019-07-22", who, "ap-guangzhou", profile=profile)
        answer = client.call_json(action, parameters)["Response"]
        return {"request": answer["RequestId"], "answer": answer}
    client = trtc_client.TrtcClient(who, "ap-guangzhou", profile)
    request = getattr(models, action + "Request")()
    request.from_json_string(json.dumps(parameters))
    answer = getattr(client, action)(request)
    return {"request": answer.RequestId, "answer": json.loads(answer.to_json_string())}


def main():
    endpoint, identifier, key = sys.argv[1:4]
    who = credential.Credential(identifier, key)
    for line in sys.stdin:
        try:
            answer = ask(endpoint, who, json.loads(line))
        except TencentCloudSDKException as refusal:
            answer = {
                "code": refusal.get_code(),
                "message": refusal.get_message(),
                "request": refusal.get_request_id(),
            }
        print(json.dumps(answer), flush=True)


main()
