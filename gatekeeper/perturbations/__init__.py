"""How an acquisition or a contour can go wrong: one file each, by family. All of them stand in this table."""

from __future__ import annotations

from gatekeeper.catalogue import Catalogue
from gatekeeper.perturbations.artefact.jpeg import JPEG
from gatekeeper.perturbations.artefact.occlusion import OCCLUSION
from gatekeeper.perturbations.artefact.pixelate import PIXELATE
from gatekeeper.perturbations.artefact.stain import STAIN
from gatekeeper.perturbations.blur.defocus import DEFOCUS
from gatekeeper.perturbations.blur.gaussian_blur import GAUSSIAN_BLUR
from gatekeeper.perturbations.blur.motion_blur import MOTION_BLUR
from gatekeeper.perturbations.contour.dilation import CONTOUR_DILATION
from gatekeeper.perturbations.contour.erosion import CONTOUR_EROSION
from gatekeeper.perturbations.contour.rotation import CONTOUR_ROTATION
from gatekeeper.perturbations.contour.translation import CONTOUR_TRANSLATION
from gatekeeper.perturbations.intensity.bias_field import BIAS_FIELD
from gatekeeper.perturbations.intensity.brightness import BRIGHTNESS_LOWERED, BRIGHTNESS_RAISED
from gatekeeper.perturbations.intensity.contrast import CONTRAST_LOWERED, CONTRAST_RAISED
from gatekeeper.perturbations.intensity.gamma import GAMMA_LOWERED, GAMMA_RAISED
from gatekeeper.perturbations.intensity.window import WINDOW_SHIFT, WINDOW_WIDTH
from gatekeeper.perturbations.kspace.ghosting import GHOSTING
from gatekeeper.perturbations.kspace.gibbs import GIBBS
from gatekeeper.perturbations.kspace.motion import MOTION
from gatekeeper.perturbations.kspace.spike import KSPACE_SPIKE
from gatekeeper.perturbations.noise.ct_dose import CT_DOSE
from gatekeeper.perturbations.noise.gaussian_noise import GAUSSIAN_NOISE
from gatekeeper.perturbations.noise.impulse_noise import IMPULSE_NOISE
from gatekeeper.perturbations.noise.rician_noise import RICIAN_NOISE
from gatekeeper.perturbations.noise.shot_noise import SHOT_NOISE
from gatekeeper.perturbations.noise.speckle_noise import SPECKLE_NOISE
from gatekeeper.perturbations.spatial.crop import CROP
from gatekeeper.perturbations.spatial.flip import FLIP
from gatekeeper.perturbations.spatial.rotation import ROTATION
from gatekeeper.perturbations.spatial.sampling import ANISOTROPY, RESAMPLING, SLICE_THICKNESS
from gatekeeper.perturbations.spatial.scaling import SCALING_DOWN, SCALING_UP
from gatekeeper.perturbations.spatial.translation import TRANSLATION, TRANSLATION_PIXELS
from gatekeeper.perturbations.specification import Perturbation, Stack, case_seed

PERTURBATIONS: Catalogue[Perturbation] = Catalogue(
    "perturbation",
    [
        GAUSSIAN_NOISE,
        RICIAN_NOISE,
        SPECKLE_NOISE,
        SHOT_NOISE,
        IMPULSE_NOISE,
        CT_DOSE,
        BRIGHTNESS_RAISED,
        BRIGHTNESS_LOWERED,
        CONTRAST_RAISED,
        CONTRAST_LOWERED,
        GAMMA_RAISED,
        GAMMA_LOWERED,
        WINDOW_SHIFT,
        WINDOW_WIDTH,
        BIAS_FIELD,
        GAUSSIAN_BLUR,
        DEFOCUS,
        MOTION_BLUR,
        GIBBS,
        KSPACE_SPIKE,
        GHOSTING,
        MOTION,
        JPEG,
        PIXELATE,
        OCCLUSION,
        STAIN,
        TRANSLATION,
        TRANSLATION_PIXELS,
        ROTATION,
        SCALING_UP,
        SCALING_DOWN,
        FLIP,
        CROP,
        SLICE_THICKNESS,
        ANISOTROPY,
        RESAMPLING,
        CONTOUR_TRANSLATION,
        CONTOUR_ROTATION,
        CONTOUR_EROSION,
        CONTOUR_DILATION,
    ],
    listed_by="gatekeeper policy perturbations",
)

__all__ = ["PERTURBATIONS", "Perturbation", "Stack", "case_seed"]
