// How emotions look: the one place for their colours and faces.
//
// The colours are those of Okabe and Ito (2008) and neighbours that keep apart in lightness, so
// they can be told apart with every kind of colour vision. No emotion is shown by colour alone:
// a name or a face is always beside it. `pen` is the colour that can be seen on it.

const DARK = "#1d1b26";
const LIGHT = "#ffffff";

const EMOTIONS = {
  neutral: { colour: "#9aa0a8", pen: DARK, face: ["M8 15.5h8", "eyes"] },
  calm: { colour: "#56b4e9", pen: DARK, face: ["M8.5 15q3.5 2 7 0", "M7 10.4q1.5 1.4 3 0M14 10.4q1.5 1.4 3 0"] },
  happiness: { colour: "#ecca1f", pen: DARK, face: ["M7.5 13.8q4.5 6 9 0z", "eyes"] },
  sadness: { colour: "#0072b2", pen: LIGHT, face: ["M8.5 17q3.5-3.4 7 0", "M6.8 8.6l2.8-1.4M17.2 8.6l-2.8-1.4", "eyes"] },
  anger: { colour: "#d55e00", pen: LIGHT, face: ["M8.5 16.6q3.5-2.2 7 0", "M6.6 7.2l3.6 1.9M17.4 7.2l-3.6 1.9", "eyes"] },
  fear: { colour: "#cc79a7", pen: DARK, face: ["M7.5 16.4q1.1-1.8 2.2 0t2.3 0t2.3 0t2.2 0", "M9 8.4a1.7 1.7 0 1 0 .01 0M15 8.4a1.7 1.7 0 1 0 .01 0"] },
  disgust: { colour: "#009e73", pen: LIGHT, face: ["M8 16.2q2-2.2 4-.6t4-.8", "M7.3 9.2l2.8 1-2.8 1M16.7 9.2l-2.8 1 2.8 1"] },
  surprise: { colour: "#e69f00", pen: DARK, face: ["M12 13.6a2 2.4 0 1 0 .01 0", "M7 7.4q1.5-1.3 3 0M14 7.4q1.5-1.3 3 0", "eyes"] },
  boredom: { colour: "#8f6b4f", pen: LIGHT, face: ["M9 16.4l6-1", "M7.2 9.9h3.2M13.6 9.9h3.2"] },
};

const UNSURE = { colour: "#9aa0a8", pen: DARK, face: ["M9.3 9.4q0-2.9 2.7-2.9t2.7 2.5q0 1.5-1.5 2.4t-1.2 2.2", "M12 17v.1"] };
const UNKNOWN = { colour: "#7d7f96", pen: LIGHT, face: ["M10 15.5h4", "eyes"] };
const EYES = ["9", "15"];
const SVG = "http://www.w3.org/2000/svg";

/** Colour of an emotion; a model may know more of them than this page. */
export function colourOf(emotion) {
  return (EMOTIONS[emotion] ?? UNKNOWN).colour;
}

/** Name of an emotion for people. */
export function titleOf(emotion) {
  const words = emotion.replaceAll("_", " ");
  return words[0].toUpperCase() + words.slice(1);
}

/** Face of an emotion as an SVG element, which says nothing to screen readers. */
export function faceOf(emotion) {
  return draw(EMOTIONS[emotion] ?? UNKNOWN);
}

/** The sign of "not sure". */
export function unsureFace() {
  return draw(UNSURE);
}

function draw({ colour, pen, face }) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("face");
  svg.style.setProperty("--emotion", colour);
  svg.style.setProperty("--pen", pen);
  svg.append(shape("circle", { cx: "12", cy: "12", r: "10", class: "head" }));
  for (const part of face) {
    if (part === "eyes") {
      svg.append(...EYES.map((x) => shape("circle", { cx: x, cy: "10.2", r: "1.15", class: "eye" })));
    } else {
      svg.append(shape("path", { d: part }));
    }
  }
  return svg;
}

function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
