import { useEffect, useRef } from 'preact/hooks';

export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8ClampedArray<ArrayBuffer>;
}

interface PixelCanvasProps {
  readonly image: Pixels;
  /** Size of the canvas; a smaller image is scaled up smoothly. */
  readonly width: number;
  readonly height: number;
  readonly label: string;
  readonly class?: string;
}

export function PixelCanvas({ image, width, height, label, ...rest }: PixelCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (context) draw(context, image);
  }, [image, width, height]);
  return (
    <canvas
      ref={canvas}
      width={width}
      height={height}
      role="img"
      aria-label={label}
      class={rest.class}
    />
  );
}

function draw(context: CanvasRenderingContext2D, { width, height, pixels }: Pixels): void {
  const data = new ImageData(pixels, width, height);
  const { canvas } = context;
  if (width === canvas.width && height === canvas.height) {
    context.putImageData(data, 0, 0);
    return;
  }
  const small = new OffscreenCanvas(width, height);
  small.getContext('2d')?.putImageData(data, 0, 0);
  context.imageSmoothingQuality = 'high';
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
}
