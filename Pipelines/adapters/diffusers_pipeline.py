"""A text-to-image pipeline of diffusers as a peer of Locus: Stable Diffusion 1 and 2, and SDXL, from a local folder.

    diffusers_pipeline.py sdxl --template "a photo of {}" --join ", " --concepts "a horse;a hat;an oil painting"

Locus denoises latents; `encode` and `decode` are the VAE's. The entries of a conditioner are concepts, told or not. Of
the two ways to tell a concept no longer, --knock-out names one:
  prompt  the prompt without it: the template with those that are told, joined; none at all is the empty prompt, or
          zeros where the pipeline forces these
  token   the prompt of all concepts, with the embeddings of its tokens replaced by that of the padding
"""

import argparse
import os
import sys
import time

import numpy as np
import torch
import diffusers
import transformers

from locus_peer import identity, serve
from locus_tensors import array, deterministic, tensors

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("folder", help="a pipeline that save_pretrained wrote, or a copy of a hub's folder")
parser.add_argument("--template", default="{}", help="the prompt, with {} where the concepts go (default %(default)s)")
parser.add_argument("--join", default=" and ", help="what stands between concepts (default '%(default)s')")
parser.add_argument("--concepts", required=True, help="with ; between")
parser.add_argument("--knock-out", choices=["prompt", "token"], default="prompt")
parser.add_argument("--side", type=int, help="side of a picture in px; what the U-Net was trained on when it is missing")
parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
parser.add_argument("--half", action="store_true", help="float16 in the U-Net and the text encoders")
parser.add_argument("--batch", type=int, default=16, help="pictures at a time (default %(default)s)")
parser.add_argument("--threads", type=int, default=2, help="threads to compute on (default %(default)s)")
arguments = parser.parse_args()

torch.set_num_threads(arguments.threads)
deterministic()
device, dtype = torch.device(arguments.device), torch.float16 if arguments.half else torch.float32
pipeline = diffusers.DiffusionPipeline.from_pretrained(
    arguments.folder, torch_dtype=dtype, local_files_only=True,
    **({"safety_checker": None} if os.path.isdir(os.path.join(arguments.folder, "safety_checker")) else {}))
is_xl = isinstance(pipeline, diffusers.StableDiffusionXLPipeline)
if not is_xl and not isinstance(pipeline, diffusers.StableDiffusionPipeline):
    raise SystemExit(f"a pipeline of the class {type(pipeline).__name__}; accepted: StableDiffusion, StableDiffusionXL")
pipeline.to(device)
unet, vae = pipeline.unet, pipeline.vae
for part in (unet, vae, pipeline.text_encoder, getattr(pipeline, "text_encoder_2", None)):
    if part is not None:
        part.eval().requires_grad_(False)
# SDXL's overflows in float16.
vae.to(torch.float32)
side = arguments.side or unet.config.sample_size * pipeline.vae_scale_factor
latent = side // pipeline.vae_scale_factor
concepts = arguments.concepts.split(";")

alphas = pipeline.scheduler.alphas_cumprod.double().tolist()
predicts = {"epsilon": "epsilon", "v_prediction": "v", "sample": "sample"}[pipeline.scheduler.config.prediction_type]


def encoded(prompt):
    """Embeddings (1, T, D) and, of SDXL, the pooled ones (1, P)."""
    with torch.no_grad():
        if is_xl:
            hidden, _, pooled, _ = pipeline.encode_prompt(
                prompt=prompt, device=device, num_images_per_prompt=1, do_classifier_free_guidance=False)
            if prompt == "" and pipeline.config.force_zeros_for_empty_prompt:
                hidden, pooled = torch.zeros_like(hidden), torch.zeros_like(pooled)
            return hidden, pooled
        hidden, _ = pipeline.encode_prompt(
            prompt=prompt, device=device, num_images_per_prompt=1, do_classifier_free_guidance=False)
        return hidden, None


def prompt_of(told):
    return arguments.template.format(arguments.join.join(told)) if told else ""


def places_of_tokens():
    """Of each concept, where its tokens stand in the prompt of all of them: (concepts, T), 0 or 1."""
    prompt, spans, start = prompt_of(concepts), [], 0
    for concept in concepts:
        start = prompt.index(concept, start)
        spans.append((start, start + len(concept)))
        start += len(concept)
    tokenizer = pipeline.tokenizer
    offsets = tokenizer(prompt, padding="max_length", max_length=tokenizer.model_max_length, truncation=True,
                        return_offsets_mapping=True)["offset_mapping"]
    masks = [[a < end and start < b for a, b in offsets] for start, end in spans]
    for concept, mask in zip(concepts, masks):
        if not any(mask):
            raise SystemExit(f"the concept '{concept}' is past the {tokenizer.model_max_length} tokens of a prompt")
    return torch.tensor(masks, dtype=dtype, device=device)


known = {}
if arguments.knock_out == "token":
    whole, tokens = encoded(prompt_of(concepts)), places_of_tokens()


def conditions(labels):
    """labels (N, concepts), a tensor: differentiable where tokens are replaced."""
    if arguments.knock_out == "token":
        hidden, pooled = whole
        # The end of a prompt is padding.
        gone = ((1 - labels.to(dtype)) @ tokens)[:, :, None]
        hidden = hidden + gone * (hidden[:, -1:] - hidden)
        return hidden, None if pooled is None else pooled.expand(len(labels), -1)
    found = []
    for row in labels.detach().cpu().numpy():
        key = tuple(row > 0.5)
        if key not in known:
            if len(known) > 4096:
                known.clear()
            known[key] = encoded(prompt_of([concept for concept, told in zip(concepts, key) if told]))
        found.append(known[key])
    return torch.cat([h for h, _ in found]), torch.cat([p for _, p in found]) if is_xl else None


def predicted(x, times, labels):
    hidden, pooled = conditions(labels)
    added = None
    if is_xl:
        ids = pipeline._get_add_time_ids(
            (side, side), (0, 0), (side, side), dtype=dtype,
            text_encoder_projection_dim=pipeline.text_encoder_2.config.projection_dim)
        added = dict(text_embeds=pooled, time_ids=ids.to(device).repeat(len(x), 1))
    # A time between two is as good as one: it goes through sines and cosines.
    return unet(x.to(dtype), times, encoder_hidden_states=hidden, added_cond_kwargs=added).sample


def denoise(x, level, labels):
    with torch.no_grad():
        return array(predicted(*tensors(device, x, level, labels)))


def vjp(x, level, labels, cotangent):
    x, level, labels, cotangent = tensors(device, x, level, labels, cotangent)
    x.requires_grad_(True)
    labels.requires_grad_(arguments.knock_out == "token")
    with torch.enable_grad():
        out = predicted(x, level, labels)
        wanted = [x, labels] if labels.requires_grad else [x]
        found = torch.autograd.grad(out, wanted, cotangent.to(out.dtype))
    # A prompt has a concept or has it not: there is nothing in between, and no gradient.
    return array(found[0]), array(found[1] if len(found) > 1 else torch.zeros_like(labels))


blocks = {f"down.{i}": block for i, block in enumerate(unet.down_blocks)}
blocks["mid"] = unet.mid_block
blocks.update({f"up.{i}": block for i, block in enumerate(unet.up_blocks)})


def features(x, level, labels, names):
    found, hooks = {}, []
    for name in names:
        def keep(_, __, output, name=name):
            found[name] = array(output[0] if isinstance(output, tuple) else output)
        hooks.append(blocks[name].register_forward_hook(keep))
    try:
        denoise(x, level, labels)
    finally:
        for hook in hooks:
            hook.remove()
    return found


scale, shift = vae.config.scaling_factor, getattr(vae.config, "shift_factor", None) or 0


def encode(pictures):
    with torch.no_grad():
        latents = vae.encode(tensors(device, pictures)[0]).latent_dist.mean
    return array((latents - shift) * scale)


def decode(latents):
    with torch.no_grad():
        return array(vae.decode(tensors(device, latents)[0] / scale + shift).sample)


shape = [unet.config.in_channels, latent, latent]
one = np.zeros([1] + shape, "f4"), np.array([len(alphas) / 2], "f4"), np.ones([1, len(concepts)], "f4")
tried = features(*one, list(blocks))
start = time.time()
denoise(*one)
print(f"a pass of one latent takes {time.time() - start:.2f} s on {device}", file=sys.stderr, flush=True)

serve(
    dict(
        name=f"{type(pipeline).__name__} {os.path.basename(arguments.folder.rstrip('/'))}", device=str(device),
        identity=identity(
            __file__, arguments.folder, torch=torch.__version__, diffusers=diffusers.__version__,
            transformers=transformers.__version__, threads=arguments.threads, told=" ".join(sys.argv[1:])),
        shape=shape, conditioner={"set": concepts}, batch=arguments.batch,
        noise={"convention": "schedule", "alphas": alphas, "predicts": predicts},
        features=[dict(name=name, shape=list(values.shape[1:])) for name, values in tried.items()],
        picture=[3, side, side]),
    denoise, vjp, features, encode, decode)
