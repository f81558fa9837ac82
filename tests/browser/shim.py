"""Makes the hum's chance repeatable without a switch in the page: the server puts these lines
before the Worker's script as it serves it. All that follows is the shipped file, which is checked.

Time needs no shim: the record's pace compresses it, which the page honours on loopback only.
"""

from __future__ import annotations

from tests.browser.stage import Alter

from wallflower.crypto.derive import sha256

SEED = 0x57414C4C
SHIM = b"""(()=>{let s=%d;const next=()=>{s^=s<<13;s^=s>>>17;s^=s<<5;return s&255};
crypto.getRandomValues=(array)=>{const bytes=new Uint8Array(array.buffer,array.byteOffset,
array.byteLength);for(let i=0;i<bytes.length;i++)bytes[i]=next();return array}})();
""" % (SEED)

# The shipped Worker of a hum never learns what it carries: a page of ours tells it.
TELLS = b"""(()=>{let letter=false;const post=Worker.prototype.postMessage;
Worker.prototype.postMessage=function(job,...how){if(job.job==='seal-hum')letter=job.carried.kind===1;
return post.call(this,job.job==='hum'?{...job,letter}:job,...how)}})();"""
IS_TOLD = b"""let letter=false;self.addEventListener('message',(event)=>{
if(event.data.job==='hum')letter=event.data.letter});const sent=self.fetch.bind(self);"""


def seeded(script: bytes) -> bytes:
    """The script behind the shim."""
    return SHIM + script


def on_letter(code: bytes) -> dict[str, Alter]:
    """A planted fault that shows only when a letter leaves: `code` stands between the shim and the
    Worker's script; `letter` and the browser's own `sent` are there for it.
    """
    return {
        "app.js": lambda script: TELLS + script,
        "hum.js": lambda script: SHIM + IS_TOLD + code + script,
    }


def rest_hash(served: bytes) -> bytes:
    """The hash of what was served behind the shim."""
    assert served.startswith(SHIM)
    return sha256(served[len(SHIM) :])
