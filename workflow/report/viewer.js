// The viewer: a case's scan in three planes and in space, with the truth or a prediction over it.
(() => {
  "use strict";
  const text = (id) => document.getElementById(id).textContent;
  const volumes = JSON.parse(text("viewer-volumes"));
  const colours = JSON.parse(text("viewer-colours"));
  const dialog = document.getElementById("viewer");
  const form = dialog.querySelector("form");
  const overlays = form.querySelector("fieldset");
  let viewer = null;

  // niivue is kept compressed in the page; the browser unpacks it when the first case is opened.
  const library = async () => {
    const bytes = Uint8Array.from(atob(text("viewer-niivue").trim()), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
  };

  const colormap = () => {
    const map = { R: [0], G: [0], B: [0], A: [0], I: [0], labels: [""] };
    for (const [label, { name, colour }] of Object.entries(colours)) {
      const [red, green, blue] = [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16));
      [["R", red], ["G", green], ["B", blue], ["A", 255], ["I", Number(label)], ["labels", name]]
        .forEach(([key, value]) => map[key].push(value));
    }
    return map;
  };

  const start = async () => {
    await library();
    viewer = new window.niivue.Niivue({
      dragAndDropEnabled: false, isRadiologicalConvention: true, isOrientationTextVisible: true, show3Dcrosshair: true,
      logLevel: "error", backColor: [0, 0, 0, 1], crosshairColor: [1, 1, 1, 0.6], crosshairWidth: 0.5,
      fontColor: [1, 1, 1, 1],
      multiplanarLayout: 2, multiplanarShowRender: 1,
    });
    viewer.onLocationChange = ({ values }) => tell(values);
    await viewer.attachToCanvas(dialog.querySelector("canvas"));
  };

  // The organ under the crosshair, for each label map.
  const tell = (values) => {
    const found = values.slice(1).map(({ name, value }) => {
      const title = name.replace(".nii.gz", "");
      return `${title}: ${colours[Math.round(value)]?.name ?? "none"}`;
    });
    dialog.querySelector("output").textContent = `At the crosshair: ${found.join("; ")}`;
  };

  const show = () => {
    const wanted = form.elements.overlay.value;
    volumes[dialog.dataset.case].forEach(([title], place) => {
      if (place > 0) viewer.setOpacity(place, title === wanted ? Number(form.elements.opacity.value) : 0);
    });
    dialog.dataset.overlay = wanted;
  };

  const choices = (titles) => {
    overlays.replaceChildren(...titles.map((title, place) => {
      const label = document.createElement("label");
      const input = Object.assign(document.createElement("input"), { type: "radio", name: "overlay", value: title });
      input.checked = place === 1;
      label.append(input, title === "image" ? "image alone" : title);
      return label;
    }));
  };

  const open = async (name) => {
    dialog.dataset.case = name;
    dialog.dataset.ready = "no";
    dialog.querySelector("h3").textContent = name;
    choices(volumes[name].map(([title]) => title));
    dialog.showModal();
    if (!viewer) await start();
    viewer.volumes.slice().forEach((volume) => viewer.removeVolume(volume));
    for (const [title, base64] of volumes[name]) {
      const options = title === "image" ? { colormap: "gray", cal_min: 0, cal_max: 255 } : { opacity: 0 };
      const volume = await window.niivue.NVImage.loadFromBase64({ base64, name: `${title}.nii.gz`, ...options });
      if (title !== "image") volume.setColormapLabel(colormap());
      viewer.addVolume(volume);
    }
    show();
    dialog.dataset.ready = "yes";
  };

  const complain = (error) => {
    dialog.querySelector("output").textContent = `This browser cannot show the case: ${error.message}. It needs WebGL 2.`;
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-view]");
    if (button) open(button.dataset.view).catch(complain);
  });
  form.addEventListener("input", show);
  window.viewableCases = Object.keys(volumes);
})();
