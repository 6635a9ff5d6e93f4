// Gives what a page writes fainter than WCAG 2 asks of text (success criterion 1.4.3, level AA).
(() => {
  const linear = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

  // What is seen where colours lie on each other, some of them half transparent.
  const seen = (colours) => {
    for (const colour of ["white", ...colours]) {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
    }
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };

  const grounds = (element) => {
    const own = getComputedStyle(element).backgroundColor;
    return element.parentElement ? [...grounds(element.parentElement), own] : [own];
  };

  const faint = new Set();
  const parts = ".md-content *, .md-sidebar *, .md-header__title *, .md-footer *";
  for (const element of document.querySelectorAll(parts)) {
    const writes = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const shown = element.getBoundingClientRect().width > 0;
    // The signs for "link to this section" and "copy" are there when the pointer is.
    if (!writes || !shown || element.closest(".headerlink, .md-clipboard, [hidden]")) continue;
    const style = getComputedStyle(element);
    const ground = grounds(element);
    const [lighter, darker] = [seen(ground), seen([...ground, style.color])].map(luminance).sort((a, b) => b - a);
    const ratio = (lighter + 0.05) / (darker + 0.05);
    if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) {
      const text = element.textContent.trim().slice(0, 30);
      faint.add(`is too faint, at ${ratio.toFixed(1)}: ${element.localName}.${element.className} "${text}"`);
    }
  }
  return [...faint];
})();
