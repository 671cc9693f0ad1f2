// The viewer: a case's scan in three planes and in space, with a label map or the difference of two over it.
(() => {
  "use strict";
  const json = (id) => JSON.parse(document.getElementById(id).textContent);
  const colours = json("viewer-colours");
  const dialog = document.getElementById("viewer");
  const form = dialog.querySelector("form");
  const canvas = dialog.querySelector("canvas");
  const problem = dialog.querySelector(".problem");
  // Orange, blue and black are told apart with any kind of colour blindness.
  const ONLY_HERE = "#e69f00", ONLY_THERE = "#0072b2", ANOTHER = "#000000";
  const loaded = {};
  let niivue = null;
  let shown = null;

  // niivue is kept compressed in the page; the browser unpacks it when the first case is opened.
  const library = async () => {
    const base64 = document.getElementById("viewer-niivue").textContent.trim();
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
  };

  const colormap = (entries) => {
    const map = { R: [0], G: [0], B: [0], A: [0], I: [0], labels: [""] };
    for (const [label, { name, colour }] of entries) {
      const [red, green, blue] = [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16));
      [["R", red], ["G", green], ["B", blue], ["A", 255], ["I", Number(label)], ["labels", name]]
        .forEach(([key, value]) => map[key].push(value));
    }
    return map;
  };

  const start = async () => {
    await library();
    niivue = new window.niivue.Niivue({
      dragAndDropEnabled: false, isRadiologicalConvention: true, isOrientationTextVisible: true, show3Dcrosshair: true,
      logLevel: "error", backColor: [0, 0, 0, 1], crosshairColor: [1, 1, 1, 0.6], crosshairWidth: 0.5,
      fontColor: [1, 1, 1, 1],
      multiplanarLayout: 2, multiplanarShowRender: 1,
    });
    niivue.onLocationChange = ({ vox }) => tell("At the crosshair", vox);
    await niivue.attachToCanvas(canvas);
    canvas.addEventListener("pointermove", (event) => {
      const box = canvas.getBoundingClientRect();
      const scale = canvas.width / box.width;
      const fraction = niivue.canvasPos2frac([(event.clientX - box.left) * scale, (event.clientY - box.top) * scale]);
      if (shown && fraction[0] >= 0) tell("Under the cursor", niivue.frac2vox(fraction));
    });
  };

  // A case's volumes: from the page, or from the file beside it, which is a script that calls `takeVolumes`.
  let embedded = null;
  window.takeVolumes = (name, volumes) => { loaded[name] = volumes; };
  const volumesOf = async (name) => {
    embedded ??= json("viewer-volumes");
    if (embedded[name] || loaded[name]) return embedded[name] || loaded[name];
    const script = document.createElement("script");
    script.src = `volumes/${encodeURIComponent(name)}.js`;
    await new Promise((done) => { script.onload = script.onerror = done; document.head.append(script); });
    script.remove();
    if (loaded[name]) return loaded[name];
    throw new Error(`No volumes of ${name} lie beside this page, in volumes/${name}.js. This makes them:\n\n`
      + `${json("viewer-command")} ${name}`);
  };

  // The organ of each label map at a voxel, and the slices, counted in the scan. niivue's voxels run to the right, the
  // front and the head; a scan's to the left, the back and the head.
  const tell = (where, [x, y, z]) => {
    const [, ...sizes] = niivue.volumes[0].dimsRAS;
    const voxel = [sizes[0] - 1 - x, sizes[1] - 1 - y, z];
    const slices = shown.box.map(([first, end, of], axis) => {
      const number = first + Math.floor((voxel[axis] + 0.5) * (end - first) / sizes[axis]) + 1;
      return `${["sagittal", "coronal", "axial"][axis]} ${Math.min(Math.max(number, 1), of)} of ${of}`;
    });
    const organs = shown.maps.map(({ title, volume }) => `${title}: ${colours[volume.getValue(x, y, z)]?.name ?? "none"}`);
    dialog.querySelector("output").textContent = `${where}: ${[...organs, ...slices.reverse()].join("; ")}`;
  };

  const labelsOf = (volume) => new Set(volume.img);
  const swatches = (entries) => entries.map(({ name, colour }) => {
    const item = document.createElement("li");
    const swatch = Object.assign(document.createElement("i"), { className: "swatch" });
    swatch.style.background = colour;
    item.append(swatch, name);
    return item;
  });

  // Where two label maps differ: what only one of them marks, and what both mark as another organ.
  const difference = (here, there) => {
    const volume = here.volume.clone();
    volume.img = here.volume.img.map((label, place) => {
      const other = there.volume.img[place];
      return label === other ? 0 : !other ? 1 : !label ? 2 : 3;
    });
    const entries = [[1, { name: `only in ${here.title}`, colour: ONLY_HERE }],
      [2, { name: `only in ${there.title}`, colour: ONLY_THERE }], [3, { name: "another organ", colour: ANOTHER }]];
    volume.setColormapLabel(colormap(entries));
    return { volume, legend: entries.map(([, entry]) => entry) };
  };

  const show = () => {
    const opacity = Number(form.elements.opacity.value);
    const here = shown.maps.find(({ title }) => title === form.elements.overlay.value);
    const there = here && shown.maps.find(({ title }) => title === form.elements.against.value && title !== here.title);
    const pair = there ? `${here.title}|${there.title}` : "";
    if (shown.pair !== pair) {
      if (shown.difference) niivue.removeVolume(shown.difference.volume);
      shown.difference = pair ? difference(here, there) : null;
      if (shown.difference) niivue.addVolume(shown.difference.volume);
      shown.pair = pair;
    }
    const visible = shown.difference?.volume ?? here?.volume;
    // A difference is thin: it is drawn stronger than a label map.
    const strength = shown.difference ? opacity ** 0.3 : opacity;
    niivue.volumes.slice(1).forEach((volume, place) => niivue.setOpacity(place + 1, volume === visible ? strength : 0));
    const present = here ? Object.entries(colours).filter(([label]) => here.labels.has(Number(label))) : [];
    const legend = shown.difference?.legend ?? present.map(([, entry]) => entry);
    dialog.querySelector(".legend").replaceChildren(...swatches(legend));
    dialog.querySelector("p.file").textContent = [here, there].filter(Boolean).map(({ path }) => path).join("  against  ");
    dialog.dataset.overlay = here?.title ?? "image";
  };

  const choices = (titles) => {
    form.querySelector("fieldset").replaceChildren(...["image", ...titles].map((title, place) => {
      const label = document.createElement("label");
      const input = Object.assign(document.createElement("input"), { type: "radio", name: "overlay", value: title });
      input.checked = place === 1;
      label.append(input, title === "image" ? "image alone" : title);
      return label;
    }));
    form.elements.against.replaceChildren(new Option("–", ""), ...titles.map((title) => new Option(title)));
    form.elements.against.parentElement.hidden = titles.length < 2;
  };

  const open = async (name) => {
    shown = null;
    Object.assign(dialog.dataset, { case: name, ready: "no" });
    dialog.querySelector("h3").textContent = name;
    dialog.classList.remove("empty");
    problem.hidden = true;
    ["output", ".legend", "p.file", "fieldset"].forEach((part) => dialog.querySelector(part).replaceChildren());
    dialog.showModal();
    const { box, maps } = await volumesOf(name);
    if (!niivue) await start();
    niivue.volumes.slice().forEach((volume) => niivue.removeVolume(volume));
    const found = [];
    for (const [title, path, base64] of maps) {
      const isScan = found.length === 0;
      const options = isScan ? { colormap: "gray", cal_min: 0, cal_max: 255 } : { opacity: 0 };
      const volume = await window.niivue.NVImage.loadFromBase64({ base64, name: `${title}.nii.gz`, ...options });
      if (!isScan) volume.setColormapLabel(colormap(Object.entries(colours)));
      found.push({ title, path, volume, labels: isScan ? null : labelsOf(volume) });
    }
    shown = { box, maps: found.slice(1), pair: "", difference: null };
    choices(shown.maps.map(({ title }) => title));
    found.forEach(({ volume }) => niivue.addVolume(volume));
    show();
    niivue.createOnLocationChange();
    dialog.dataset.ready = "yes";
  };

  const complain = (error) => {
    dialog.classList.add("empty");
    problem.hidden = false;
    const isThere = embedded?.[dialog.dataset.case] || loaded[dialog.dataset.case];
    problem.textContent = isThere ? `This browser cannot show the case: ${error.message}. It needs WebGL 2.` : error.message;
    dialog.dataset.ready = "failed";
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-view]");
    if (button) open(button.dataset.view).catch(complain);
  });
  form.addEventListener("input", () => { if (shown) show(); });
})();
