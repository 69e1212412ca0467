"""Trains a small text-to-image pipeline in SDXL's format on pictures of Locus, in minutes on two cores.

    locus export scenes scenes --to shown            (pictures of 32 px of one or two objects)
    train_tiny_pipeline.py shown tiny-sdxl
    train_tiny_pipeline.py --untrained "" parts      (weights as they are drawn, to try programs on)

It has every part of SDXL: a VAE, two CLIP text encoders whose last but one states go side by side into a
UNet2DConditionModel with cross-attention, the second one's pooled embedding and the sizes as added conditions, and a
schedule of 1,000 times with epsilon-prediction; only small, all of it trained here, with a vocabulary of its own.
Captions are what lies in a picture: "a red cube and a blue sphere". One in ten is blank.
"""

import argparse
import json
import os
import time

import numpy as np
import torch
from diffusers import (
    AutoencoderKL, EulerDiscreteScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline, UNet2DConditionModel)
from PIL import Image
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("scenes", help="a folder that `locus export scenes` wrote")
parser.add_argument("target", help="the folder of the pipeline")
parser.add_argument("--vae-steps", type=int, default=700)
parser.add_argument("--steps", type=int, default=2500)
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--predicts", choices=["epsilon", "v_prediction"], default="epsilon")
parser.add_argument("--untrained", action="store_true")
parser.add_argument("--one-encoder", action="store_true", help="without training: in the format of Stable Diffusion 2")
arguments = parser.parse_args()
torch.manual_seed(arguments.seed)
torch.set_num_threads(arguments.threads)
random = np.random.default_rng(arguments.seed)

LENGTH = 16


def scenes():
    folder = os.path.join(arguments.scenes, "scenes")
    name = next(name for name in sorted(os.listdir(folder)) if name.endswith(".json"))
    with open(os.path.join(folder, name)) as file:
        told = json.load(file)["scenes"]
    pictures, objects = [], []
    for scene in told:
        path = os.path.join(arguments.scenes, "images", scene["split"], scene["image_filename"])
        pictures.append(np.asarray(Image.open(path).convert("RGB")))
        objects.append([f"a {o['color']} {o['shape']}" for o in scene["objects"]])
    pictures = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    return pictures, objects


def tokenizer(texts):
    """A word a token: merges that put each one together, letter by letter."""
    words = sorted({word for text in texts for word in text.split()})
    vocabulary = {"<|startoftext|>": 0, "<|endoftext|>": 1}
    merges = []

    def add(token):
        vocabulary.setdefault(token, len(vocabulary))

    for letter in "abcdefghijklmnopqrstuvwxyz":
        add(letter)
        add(letter + "</w>")
    for word in words:
        parts = list(word[:-1]) + [word[-1] + "</w>"]
        while len(parts) > 1:
            if (parts[0], parts[1]) not in merges:
                merges.append((parts[0], parts[1]))
            parts[:2] = [parts[0] + parts[1]]
            add(parts[0])
    return CLIPTokenizer(
        vocab=vocabulary, merges=merges, model_max_length=LENGTH, bos_token="<|startoftext|>",
        eos_token="<|endoftext|>", pad_token="<|endoftext|>", unk_token="<|endoftext|>")


def new_vae(size):
    return AutoencoderKL(
        block_out_channels=(16, 32), down_block_types=["DownEncoderBlock2D"] * 2,
        up_block_types=["UpDecoderBlock2D"] * 2, latent_channels=4, norm_num_groups=8, sample_size=size, layers_per_block=1)


def train_vae(pictures):
    vae = new_vae(pictures.shape[-1])
    optimizer = torch.optim.AdamW(vae.parameters(), lr=2e-3, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, arguments.vae_steps)
    start = time.time()
    for step in range(arguments.vae_steps):
        x = pictures[torch.randint(len(pictures), (32,))].float() / 127.5 - 1
        posterior = vae.encode(x).latent_dist
        out = vae.decode(posterior.sample()).sample
        loss = (out - x).abs().mean() + ((out - x) ** 2).mean() + 1e-5 * posterior.kl().mean() / 256
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1)
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            print(f"vae {step}: {loss.item():.4f}, {time.time() - start:.0f} s", flush=True)
    vae.eval().requires_grad_(False)
    return vae


def text_encoder(words, projection):
    about = CLIPTextConfig(
        vocab_size=len(words), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=LENGTH, projection_dim=32, bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id, pad_token_id=words.pad_token_id)
    return CLIPTextModelWithProjection(about) if projection else CLIPTextModel(about)


if arguments.untrained:
    size, texts = 32, ["a red cube and a blue sphere and a green cylinder"]
    vae = new_vae(size).eval()
else:
    pictures, objects = scenes()
    size, texts = pictures.shape[-1], [" and ".join(o) for o in objects]
    vae = train_vae(pictures)
    with torch.no_grad():
        moments = [vae.encode(part.float() / 127.5 - 1).latent_dist.mean for part in pictures.split(64)]
    latents = torch.cat(moments)
    scale = 1 / latents.std().item()
    vae.register_to_config(scaling_factor=scale)
    latents *= scale
words = tokenizer(texts)
first, second = text_encoder(words, False), text_encoder(words, True)
added = {} if arguments.one_encoder else dict(
    addition_embed_type="text_time", addition_time_embed_dim=8, projection_class_embeddings_input_dim=6 * 8 + 32)
unet = UNet2DConditionModel(
    sample_size=size // 2, in_channels=4, out_channels=4, layers_per_block=1, block_out_channels=(32, 64),
    down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    mid_block_type="UNetMidBlock2DCrossAttn", norm_num_groups=8, cross_attention_dim=32 if arguments.one_encoder else 64,
    transformer_layers_per_block=(1, 1), attention_head_dim=(2, 4), use_linear_projection=True, **added)
scheduler = EulerDiscreteScheduler(
    beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000,
    prediction_type=arguments.predicts, timestep_spacing="leading", steps_offset=1)


def save():
    parts = dict(vae=vae, text_encoder=first, tokenizer=words, unet=unet.eval(), scheduler=scheduler)
    if arguments.one_encoder:
        pipeline = StableDiffusionPipeline(
            **parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    else:
        pipeline = StableDiffusionXLPipeline(
            **parts, text_encoder_2=second, tokenizer_2=words, force_zeros_for_empty_prompt=True, add_watermarker=False)
    pipeline.save_pretrained(arguments.target)


if arguments.untrained:
    save()
    raise SystemExit(0)

alphas = torch.cumprod(1 - torch.linspace(0.00085 ** 0.5, 0.012 ** 0.5, 1000) ** 2, 0)
parameters = [*unet.parameters(), *first.parameters(), *second.parameters()]
optimizer = torch.optim.AdamW(parameters, lr=1e-3, betas=(0.9, 0.99), weight_decay=1e-3)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.5e-3, arguments.steps, pct_start=0.1)
averages = [p.detach().clone() for p in parameters]
sizes = torch.tensor([size, size, 0, 0, size, size]).float()
start, losses = time.time(), []
for step in range(arguments.steps):
    chosen = torch.randint(len(latents), (arguments.batch,))
    captions = []
    for n in chosen.tolist():
        told = [objects[n][i] for i in random.permutation(len(objects[n]))]
        captions.append("" if random.random() < 0.1 else " and ".join(told))
    ids = words(captions, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt").input_ids
    a, b = first(ids, output_hidden_states=True), second(ids, output_hidden_states=True)
    hidden = torch.cat([a.hidden_states[-2], b.hidden_states[-2]], -1)
    pooled = b.text_embeds
    # SDXL's pipelines tell nothing by zeros.
    blank = torch.tensor([not c for c in captions])
    hidden = hidden.masked_fill(blank[:, None, None], 0)
    pooled = pooled.masked_fill(blank[:, None], 0)
    times = torch.randint(1000, (arguments.batch,))
    noise = torch.randn_like(latents[chosen])
    root, rest = alphas[times].sqrt()[:, None, None, None], (1 - alphas[times]).sqrt()[:, None, None, None]
    noised = root * latents[chosen] + rest * noise
    out = unet(noised, times, encoder_hidden_states=hidden,
               added_cond_kwargs=dict(text_embeds=pooled, time_ids=sizes.repeat(arguments.batch, 1))).sample
    wanted = noise if arguments.predicts == "epsilon" else root * noise - rest * latents[chosen]
    loss = ((out - wanted) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1)
    optimizer.step()
    schedule.step()
    keep = min(0.999, step / (step + 10))
    with torch.no_grad():
        torch._foreach_lerp_(averages, parameters, 1 - keep)
    losses.append(loss.item())
    if step % 200 == 0:
        print(f"step {step}: {np.mean(losses[-200:]):.4f}, {time.time() - start:.0f} s", flush=True)
with torch.no_grad():
    for parameter, average in zip(parameters, averages):
        parameter.copy_(average)

save()
print(f"{arguments.target}: {sum(p.numel() for p in unet.parameters())} weights in the U-Net, loss {np.mean(losses[-200:]):.4f}")
